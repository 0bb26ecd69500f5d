/** Chance that can be had again: the same seed gives the same numbers. */
export interface Random {
  /** From 0 up to, but not including, 1. */
  fraction(): number
  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number
  pick<T>(from: readonly [T, ...T[]]): T
  bytes(count: number): Buffer
}

/** mulberry32, after Tommy Ettinger. */
export function seeded(seed: number): Random {
  let state = seed | 0
  const word = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const fraction = () => word() / 2 ** 32
  const whole = (min: number, max: number) => min + Math.floor(fraction() * (max - min + 1))
  return {
    fraction,
    whole,
    pick: from => from[whole(0, from.length - 1)] ?? from[0],
    bytes(count) {
      const bytes = Buffer.alloc(count)
      for (let at = 0; at + 4 <= count; at += 4) bytes.writeUInt32LE(word(), at)
      return bytes
    },
  }
}
