// Stands in the bundle for node:child_process: commander loads it for commands that are programs of their own, which emb has none of, and with
// it comes node:net, 4 ms.
module.exports = {};
