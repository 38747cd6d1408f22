from quart import Quart

app = Quart(__name__)


@app.get("/")
async def index():
    return {"framework": "quart"}


@app.route("/health")
async def health():
    return {"ok": True}


if __name__ == "__main__":
    app.run()
