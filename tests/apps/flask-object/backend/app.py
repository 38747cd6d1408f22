from flask import Flask, jsonify, request

app = Flask(__name__)


@app.get("/")
def index():
    return jsonify(scheme=request.scheme, server=request.environ["SERVER_SOFTWARE"])


@app.get("/ping")
def ping():
    return "pong"


if __name__ == "__main__":
    app.run(debug=True)
