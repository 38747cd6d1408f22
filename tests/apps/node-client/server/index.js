const express=require("express");const path=require("path");
const app=express();
app.get("/api/hello",(q,r)=>r.json({hi:1}));
app.use(express.static(path.join(__dirname,"../client/dist")));
app.get("*",(q,r)=>r.sendFile(path.resolve(__dirname,"../client/dist/index.html")));
app.listen(process.env.PORT||5000);
