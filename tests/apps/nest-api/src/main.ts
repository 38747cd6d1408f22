import { Controller, Get, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

@Controller()
class AppController {
  @Get()
  greet() {
    return { greeting: "hello" };
  }

  @Get("health")
  health() {
    return { status: "ok" };
  }
}

@Module({ controllers: [AppController] })
class AppModule {}

async function start() {
  const app = await NestFactory.create(AppModule);
  await app.listen(process.env.PORT ?? 3000);
}

void start();
