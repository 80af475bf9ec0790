# syntax=docker/dockerfile:1
FROM python:3.12-slim-bookworm AS build
WORKDIR /srv/adjacent
RUN python -m venv /srv/venv
ENV PATH=/srv/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt ./
RUN pip install --require-hashes --only-binary :all: -r requirements.txt
COPY . ./
# In place: the migrations stand beside the packages, where those look for them. What Python and the catalogue would keep
# beside their sources at the first start is made here: later these are read-only.
RUN pip install --no-deps --no-build-isolation -e . && python -m compileall -q app scrapers recommender \
    && python -c "from recommender.catalogue import load_catalogue; load_catalogue()"

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
