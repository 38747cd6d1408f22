import { NestFactory } from "@nestjs/core";
import { VersioningType } from "@nestjs/common";
import { SwaggerModule, DocumentBuilder } from "@nestjs/swagger";
import { AppModule } from "./app.module";
async function bootstrap() { const app = await NestFactory.create(AppModule); app.setGlobalPrefix("api"); app.enableVersioning({ type: VersioningType.URI, defaultVersion: "1" }); SwaggerModule.setup("docs", app, SwaggerModule.createDocument(app, new DocumentBuilder().build())); await app.listen(process.env.PORT ?? 3000); }
bootstrap();
