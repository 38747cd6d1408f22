import odd from "is-odd";

export function isOdd(value: number): boolean {
  return odd(value);
}
