import { EmbError } from '../errors.ts';
import type { PickleMachine } from './pickle.ts';
import type { PickleBytes } from './pickle-bytes.ts';

type Operation = (machine: PickleMachine, source: PickleBytes) => void;

const newest = 5;

/** What every opcode does but STOP, by its byte; protocols as CPython's Lib/pickletools.py has them. */
export const opcodes: Record<number, Operation | undefined> = {
  // Protocol 0: text.
  ...at('(', (machine) => machine.mark()),
  ...at('0', (machine) => machine.drop()),
  ...at('1', (machine) => void machine.popMark()),
  ...at('2', (machine) => machine.push(machine.top())),
  ...at('F', (machine, source) => machine.push(source.floatLine())),
  ...at('I', (machine, source) => machine.push(source.integerLine())),
  ...at('L', (machine, source) => machine.push(source.longLine())),
  ...at('N', (machine) => machine.push(null)),
  ...at('P', (machine, source) => machine.persistent(source.line())),
  ...at('S', (machine, source) => machine.push(source.quotedLine())),
  ...at('V', (machine, source) => machine.push(source.unicodeLine())),
  ...at('a', (machine) => machine.extend([machine.pop()], false)),
  ...at('b', (machine) => machine.build()),
  ...at('c', (machine, source) => machine.global(source.line(), source.line())),
  ...at('d', (machine) => machine.dict(machine.popMark())),
  ...at('g', (machine, source) => machine.get(indexOf(source))),
  ...at('i', instance),
  ...at('l', (machine) => machine.sequence('list', machine.popMark())),
  ...at('p', (machine, source) => machine.put(indexOf(source))),
  ...at('s', setItem),
  ...at('t', (machine) => machine.sequence('tuple', machine.popMark())),
  ...at('R', call),
  // Protocol 1: binary.
  ...at('G', (machine, source) => machine.push(source.f64())),
  ...at('J', (machine, source) => machine.push(source.i32())),
  ...at('K', (machine, source) => machine.push(source.u8())),
  ...at('M', (machine, source) => machine.push(source.u16())),
  ...at('Q', (machine) => machine.persistent(machine.pop())),
  ...at('T', (machine, source) => machine.push(source.string(length32(source)))),
  ...at('U', (machine, source) => machine.push(source.string(source.u8()))),
  ...at('X', (machine, source) => machine.push(source.string(source.u32()))),
  ...at(')', (machine) => machine.sequence('tuple', [])),
  ...at(']', (machine) => machine.sequence('list', [])),
  ...at('}', (machine) => machine.dict([])),
  ...at('e', (machine) => machine.extend(machine.popMark(), false)),
  ...at('h', (machine, source) => machine.get(source.u8())),
  ...at('j', (machine, source) => machine.get(source.u32())),
  ...at('o', callMarked),
  ...at('q', (machine, source) => machine.put(source.u8())),
  ...at('r', (machine, source) => machine.put(source.u32())),
  ...at('u', (machine) => machine.extend(machine.popMark(), true)),
  // Protocol 2.
  128: checkProtocol,
  129: call,
  130: refuse('an extension code'),
  131: refuse('an extension code'),
  132: refuse('an extension code'),
  133: (machine) => machine.sequence('tuple', [machine.pop()]),
  134: (machine) => machine.sequence('tuple', take(machine, 2)),
  135: (machine) => machine.sequence('tuple', take(machine, 3)),
  136: (machine) => machine.push(true),
  137: (machine) => machine.push(false),
  138: (machine, source) => machine.push(source.long(source.u8())),
  139: (machine, source) => machine.push(source.long(length32(source))),
  // Protocol 3.
  ...at('B', (machine, source) => machine.push(source.bytes(source.u32()))),
  ...at('C', (machine, source) => machine.push(source.bytes(source.u8()))),
  // Protocol 4.
  140: (machine, source) => machine.push(source.string(source.u8())),
  141: (machine, source) => machine.push(source.string(source.u64())),
  142: (machine, source) => machine.push(source.bytes(source.u64())),
  143: (machine) => machine.sequence('set', []),
  144: (machine) => machine.extend(machine.popMark(), false),
  145: (machine) => machine.sequence('set', machine.popMark()),
  146: callWithNames,
  147: stackGlobal,
  148: (machine) => machine.put(undefined),
  // A frame's length only helps to read ahead.
  149: (_, source) => void source.u64(),
  // Protocol 5.
  150: (machine, source) => machine.push(source.bytes(source.u64())),
  151: refuse('a buffer that lies outside the pickle'),
  152: refuse('a buffer that lies outside the pickle'),
};

function at(character: string, operation: Operation): Record<number, Operation> {
  return { [character.charCodeAt(0)]: operation };
}

/** The line of GET and PUT. */
function indexOf(source: PickleBytes): number {
  const text = source.line();
  if (!/^\d{1,10}$/.test(text)) source.fail('the number of a memo entry is none');
  return Number(text);
}

function length32(source: PickleBytes): number {
  const length = source.i32();
  if (length < 0) source.fail(`a length is ${length}, expected at least 0`);
  return length;
}

/** The topmost values, lowest first. */
function take(machine: PickleMachine, count: number) {
  const values = Array.from({ length: count }, () => machine.pop());
  return values.reverse();
}

function setItem(machine: PickleMachine): void {
  machine.extend(take(machine, 2), true);
}

/** REDUCE and NEWOBJ: a callable or class, and its arguments. */
function call(machine: PickleMachine): void {
  const args = machine.popTuple();
  machine.call(machine.pop(), args);
}

/** NEWOBJ_EX: with named arguments, which nothing on the list has. */
function callWithNames(machine: PickleMachine): void {
  machine.pop();
  call(machine);
}

/** OBJ: the class lies above the mark, below its arguments. */
function callMarked(machine: PickleMachine, source: PickleBytes): void {
  const [callee, ...args] = machine.popMark();
  if (callee === undefined) source.fail('a class is missing');
  machine.call(callee, args);
}

/** INST: OBJ with the class in the text. */
function instance(machine: PickleMachine, source: PickleBytes): void {
  machine.global(source.line(), source.line());
  const callee = machine.pop();
  machine.call(callee, machine.popMark());
}

function stackGlobal(machine: PickleMachine, source: PickleBytes): void {
  const [module, name] = take(machine, 2);
  if (typeof module !== 'string' || typeof name !== 'string') source.fail('a global has no name');
  machine.global(module, name);
}

function checkProtocol(_: PickleMachine, source: PickleBytes): void {
  const protocol = source.u8();
  if (protocol > newest) {
    throw new EmbError(
      'unsupported',
      `${source.name}: pickle has the protocol ${protocol}, expected at most ${newest}`,
    );
  }
}

function refuse(what: string): Operation {
  return (_, source) => {
    throw new EmbError('unsupported', `${source.name}: pickle has ${what}, which nothing explains`);
  };
}
