export const tides = () => `High tide at ${6 + 6} o'clock (${__VERSION__})`;
