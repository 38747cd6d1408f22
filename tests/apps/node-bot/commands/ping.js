module.exports={name:"ping"};
