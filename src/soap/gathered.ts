/** Bytes that come piece by piece and are wanted together. A sender of single bytes must not cost an object for each of them. */
export class Gathered {
  #buffer: Buffer = Buffer.alloc(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What it takes in memory: up to twice as much. */
  get allocated(): number {
    return this.#buffer.length
  }

  /** Most messages come in one piece, which is taken as it is; others are copied together as they come. */
  add(piece: Buffer): void {
    const end = this.#length + piece.length
    if (this.#length === 0) this.#buffer = piece
    else {
      if (end > this.#buffer.length) {
        const larger = Buffer.allocUnsafeSlow(2 * end)
        this.#buffer.copy(larger, 0, 0, this.#length)
        this.#buffer = larger
      }
      piece.copy(this.#buffer, this.#length)
    }
    this.#length = end
  }

  bytes(): Buffer {
    return this.#length === this.#buffer.length ? this.#buffer : this.#buffer.subarray(0, this.#length)
  }
}
