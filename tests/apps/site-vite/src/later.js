export const words = ', and later. '.repeat(200);
