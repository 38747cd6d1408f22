from django.contrib.auth.models import User
from django.http import JsonResponse
from django.urls import path


def users(request):
    User.objects.get_or_create(username="first")
    return JsonResponse({"users": User.objects.count()})


def health(request):
    return JsonResponse({"ok": True})


urlpatterns = [path("users/", users), path("health/", health)]
