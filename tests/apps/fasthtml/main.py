from fasthtml.common import Titled, fast_app, serve

app, rt = fast_app(secret_key="not-a-secret")


@rt("/")
def get():
    return Titled("Notes", "Read me")


serve()
