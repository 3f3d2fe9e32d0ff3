/** Protocol 2, then the magic number of torch.save as LONG1. */
const magic = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

/** As decimal text, which protocols 0 and 1 write. */
const magicText = 'L119547037146038801333356L';

/** Members of the tar archives that PyTorch wrote before 0.1.10. */
const tarMembers = ['pickle', 'storages', 'sys_info', 'tensors'];

/** True for a PyTorch file that is no zip archive, and for a pickle, which is said to be one. */
export function looksLikeTorchPickle(head: Uint8Array): boolean {
  if (magic.slice(2).every((byte, index) => head[index + 2] === byte)) return head[0] === 0x80;
  if (textAt(head, 0, magicText.length) === magicText) return true;
  // A protocol and what pickles begin with: a frame, a container, a global, an opcode of a number or text.
  return (
    head[0] === 0x80 && head[1] >= 2 && head[1] <= 5 && '\x95}](c)KJMX\x8c\x8a'.includes(textAt(head, 2, 1))
  );
}

/** True for the tar archive of a PyTorch before 0.1.10. */
export function looksLikeTorchTar(head: Uint8Array): boolean {
  return textAt(head, 257, 5) === 'ustar' && tarMembers.includes(textAt(head, 0, 100).split('\0')[0]);
}

function textAt(head: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...head.subarray(at, at + length));
}
