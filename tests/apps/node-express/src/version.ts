export const version = "first";
