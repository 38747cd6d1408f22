import { Module, Controller, Get } from "@nestjs/common";
@Controller("health")
class H { @Get() get() { return { ok: true }; } }
@Module({ controllers: [H] })
export class AppModule {}
