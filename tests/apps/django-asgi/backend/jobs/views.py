import os

from django.http import JsonResponse

from .tasks import double as double_task


async def health(request):
    return JsonResponse({"ok": True})


def double(request, number):
    return JsonResponse({"answer": double_task.delay(number).get(timeout=20)})


async def about(request):
    return JsonResponse(
        {
            "settings": os.environ["DJANGO_SETTINGS_MODULE"],
            "server": type(request).__name__,
            "secure": request.is_secure(),
        }
    )
