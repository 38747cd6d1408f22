const mongoose = require("mongoose");

exports.connect = () => mongoose.connect(process.env.MONGODB_URI);
exports.Word = mongoose.model("Word", new mongoose.Schema({ text: String }));
