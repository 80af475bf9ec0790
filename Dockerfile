# syntax=docker/dockerfile:1
FROM python:3.12-slim-bookworm AS build
WORKDIR /srv/adjacent
RUN python -m venv /srv/venv
ENV PATH=/srv/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt ./
RUN pip install --require-hashes --only-binary :all: -r requirements.txt
COPY . ./
# In place: the migrations stand beside the packages, where those look for them.
RUN pip install --no-deps --no-build-isolation -e . && python -m compileall -q app scrapers recommender

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent adjacent \
    && install -d -o adjacent -g adjacent -m 700 /data
COPY --from=build /srv /srv
ENV PATH=/srv/venv/bin:$PATH ADJACENT_DATA=/data PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/adjacent
USER 10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["adjacent"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
