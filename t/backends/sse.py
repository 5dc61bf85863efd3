"""An application with Server-Sent Events: Starlette and sse-starlette.

Usage: uvicorn --host 127.0.0.1 --port PORT sse:application

    GET  /api/sse/events    an event now, and then one for every POST /api/sse/say; after
                            Last-Event-ID only what came later
    GET  /api/sse/short     two events, then the end
    GET  /api/sse/scope     the request as JSON
    GET  /api/sse/open      how many streams are open
    POST /api/sse/say       the body is an event to all
"""

import asyncio

from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

events = ["first"]
news = asyncio.Condition()
streams = 0


async def stream(position):
    global streams
    streams += 1
    try:
        while True:
            while position < len(events):
                position += 1
                yield {"id": str(position), "event": "said", "data": events[position - 1]}
            async with news:
                await news.wait_for(lambda: position < len(events))
    finally:
        streams -= 1


async def subscribe(request):
    position = int(request.headers.get("last-event-id", 0))
    # Its own header would say no-store, and X-Accel-Buffering: no, which nginx obeys.
    response = EventSourceResponse(stream(position), ping=3600)
    response.headers["Cache-Control"] = "public, max-age=3600"
    del response.headers["X-Accel-Buffering"]
    return response


async def short(request):
    async def two():
        position = int(request.headers.get("last-event-id", 0))
        for number in (position + 1, position + 2):
            yield {"id": str(number), "data": f"number {number}", "retry": 50}

    return EventSourceResponse(two())


async def scope(request):
    return JSONResponse({"path": request.url.path, "headers": dict(request.headers)})


async def count(_request):
    return JSONResponse(streams)


async def say(request):
    text = (await request.body()).decode()
    async with news:
        events.append(text)
        news.notify_all()
    return Response(status_code=204)


application = Starlette(routes=[
    Route("/api/sse/events", subscribe),
    Route("/api/sse/short", short),
    Route("/api/sse/scope", scope),
    Route("/api/sse/open", count),
    Route("/api/sse/say", say, methods=["POST"]),
])
