from django.urls import path
from jobs import views

urlpatterns = [
    path("healthz", views.health),
    path("api/double/<int:number>", views.double),
    path("api/about", views.about),
]
