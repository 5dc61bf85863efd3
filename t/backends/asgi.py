"""A Django application with Channels: what people have behind nginx.

Usage: daphne -b 127.0.0.1 -p PORT asgi:application
       uvicorn --host 127.0.0.1 --port PORT asgi:application

WebSockets:

    /ws/echo/         text as text, binary as binary; "close CODE" closes
    /ws/scope/        first message: the scope of the handshake as JSON
    /ws/room/NAME/    what one says all in the room hear

HTTP:

    /                 the request as JSON
    /login?user=NAME  starts a session
    /session          204 with X-User, or 401
    /api/orders       GET lists, POST adds; /api/orders/N
    /api/catalog/...  a number that grows with every request
    /internal/report/YEAR
    /api/...          the request as JSON
"""

import itertools
import json

import django
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
    INSTALLED_APPS=["channels", "django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for tests",
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    APPEND_SLASH=False,
)
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.urls import path, re_path  # noqa: E402


class Echo(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        if text_data is not None and text_data.startswith("close "):
            await self.close(code=int(text_data[6:]))
        else:
            await self.send(text_data=text_data, bytes_data=bytes_data)


class Scope(AsyncWebsocketConsumer):
    async def connect(self):
        await self.accept(next(iter(self.scope["subprotocols"]), None))
        headers = {k.decode(): v.decode() for k, v in self.scope["headers"]}
        await self.send(json.dumps({"path": self.scope["path"], "headers": headers}))


class Room(AsyncWebsocketConsumer):
    async def connect(self):
        self.room = "room_" + self.scope["url_route"]["kwargs"]["name"]
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.room, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        await self.channel_layer.group_send(self.room, {"type": "said", "text": text_data})

    async def said(self, event):
        await self.send(event["text"])


numbers = itertools.count(1)
orders = {}


def describe(request, *_args, **_kwargs):
    return JsonResponse({
        "method": request.method,
        "path": request.get_full_path(),
        "url": request.build_absolute_uri(),
        "headers": dict(request.headers),
        "body": request.body.decode(),
    })


def login(request):
    request.session["user"] = request.GET["user"]
    return HttpResponse(status=204)


def session(request):
    if "user" not in request.session:
        return HttpResponse(status=401)
    return HttpResponse(status=204, headers={"X-User": request.session["user"]})


def order_list(request):
    user = request.headers.get("X-User")
    if request.method == "POST":
        number = len(orders) + 1
        orders[number] = {"id": number, "user": user, **json.loads(request.body)}
        location = {"Location": f"/api/orders/{number}"}
        return JsonResponse(orders[number], status=201, headers=location)
    return JsonResponse([o for o in orders.values() if o["user"] == user], safe=False)


def order(request, number):
    found = orders.get(number)
    if not found or found["user"] != request.headers.get("X-User"):
        return JsonResponse({"detail": "no such order"}, status=404)
    return JsonResponse(found)


def catalog(request, **_kwargs):
    response = JsonResponse({"number": next(numbers)})
    # What must not be kept, nor keep the answer from being kept.
    response.set_cookie("tracker", "1")
    response["Vary"] = "Cookie"
    return response


def report(request, year):
    return JsonResponse({"year": year, "user": request.headers.get("X-User")})


urlpatterns = [
    path("login", login),
    path("session", session),
    path("api/orders", order_list),
    path("api/orders/<int:number>", order),
    path("api/catalog/<path:rest>", catalog),
    path("internal/report/<int:year>", report),
    re_path("", describe),
]

application = ProtocolTypeRouter({
    "http": get_asgi_application(),
    "websocket": AllowedHostsOriginValidator(URLRouter([
        path("ws/echo/", Echo.as_asgi()),
        path("ws/scope/", Scope.as_asgi()),
        path("ws/room/<slug:name>/", Room.as_asgi()),
    ])),
})
