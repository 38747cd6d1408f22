"""Sample code: store a text and look it up."""

from chroma_config import connect

collection = connect().get_or_create_collection("examples")
collection.add(ids=["1"], documents=["Spinbox makes projects."])
print(collection.query(query_texts=["projects"], n_results=1))
