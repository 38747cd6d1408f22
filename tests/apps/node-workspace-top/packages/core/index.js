module.exports = { greeting: "hello" };
