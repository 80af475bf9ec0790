"""Groups and chats behind events: how they meet, and whether they are alive."""
