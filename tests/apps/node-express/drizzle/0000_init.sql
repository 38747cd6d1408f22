CREATE TABLE "items" ("id" integer PRIMARY KEY NOT NULL, "name" text NOT NULL);
--> statement-breakpoint
INSERT INTO "items" VALUES (1, 'first');
