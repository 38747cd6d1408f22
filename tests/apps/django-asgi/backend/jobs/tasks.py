from celery import shared_task


@shared_task
def double(number):
    return 2 * number
