import json

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.csrf import csrf_exempt

from .models import Note


def health(request):
    return JsonResponse({"ok": True})


@csrf_exempt
def notes(request):
    if request.method == "POST":
        Note.objects.create(text=json.loads(request.body)["text"])
    return JsonResponse(
        {
            "notes": [note.text for note in Note.objects.order_by("id")],
            "secure": request.is_secure(),
            "debug": settings.DEBUG,
        }
    )


def form(request):
    if request.method == "POST":
        return HttpResponse("taken")
    return HttpResponse(get_token(request))


@csrf_exempt
def upload(request):
    return JsonResponse({"name": default_storage.save("note.txt", ContentFile(request.body))})
