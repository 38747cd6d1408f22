"use client";

import Image from "next/image";
import { useEffect, useState } from "react";

export default function Page() {
  const [word, setWord] = useState("");
  const [width, setWidth] = useState("");
  useEffect(() => {
    fetch("/shop/api/word").then(async (answer) => setWord((await answer.json()).word));
  }, []);
  return (
    <main>
      <Image
        src="/shop/picture.png"
        alt="A square"
        width={64}
        height={64}
        onLoad={(event) => setWidth(`${event.target.naturalWidth} wide`)}
      />
      <p id="width">{width}</p>
      <p id="word">{word}</p>
    </main>
  );
}
