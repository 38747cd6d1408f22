import os

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from .models import db, migrate


def create_app():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)
    db.init_app(app)
    migrate.init_app(app, db)

    from .routes import bp

    app.register_blueprint(bp, url_prefix="/api")
    return app
