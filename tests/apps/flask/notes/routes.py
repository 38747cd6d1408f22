from flask import Blueprint, jsonify, request

from .models import Note, db

bp = Blueprint("api", __name__)


@bp.route("/health")
def health():
    return jsonify(ok=True)


@bp.route("/notes", methods=["GET", "POST"])
def notes():
    if request.method == "POST":
        db.session.add(Note(text=request.json["text"]))
        db.session.commit()
    found = db.session.scalars(db.select(Note.text).order_by(Note.id)).all()
    return jsonify(
        notes=list(found), secure=request.is_secure, server=request.environ["SERVER_SOFTWARE"]
    )
