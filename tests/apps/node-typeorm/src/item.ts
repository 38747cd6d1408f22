import { Column, Entity, PrimaryColumn } from "typeorm";

@Entity("items")
export class Item {
  @PrimaryColumn("int") id!: number;
  @Column("text") name!: string;
}
