// Stands in the bundle for fast-string-width, which makes patterns of scripts and emoji when it is loaded, 1 ms: few commands meet a text that
// needs them.
let width;
module.exports = (text) => {
  width ??= require('../node_modules/fast-string-width/dist/index.js').default;
  return width(text);
};
