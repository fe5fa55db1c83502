// SPDX-License-Identifier: MIT
// A small seeded random source (the generator "sfc32"), so that a seed repeats a run.

export class Random {
  constructor(seed) {
    this.state = [seed | 0, (seed / 2 ** 32) | 0, 0x9e3779b9 | 0, 1];
    for (let i = 0; i < 16; ++i) this.bits();
  }

  /** 32 random bits as a number from 0. */
  bits() {
    const s = this.state;
    const sum = (s[0] + s[1] + s[3]) | 0;
    s[3] = (s[3] + 1) | 0;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = (s[2] + (s[2] << 3)) | 0;
    s[2] = ((s[2] << 21) | (s[2] >>> 11)) + sum | 0;
    return sum >>> 0;
  }

  /** A whole number below `end`. */
  below(end) { return Math.floor((this.bits() / 2 ** 32) * end); }
  /** A whole number from `first` to `last`. */
  between(first, last) { return first + this.below(last - first + 1); }
  chance(probability) { return this.bits() < probability * 2 ** 32; }
  pick(list) { return list[this.below(list.length)]; }
  /** As many results of `make` as chance wants, from `least` to `most`. */
  list(least, most, make) { return Array.from({ length: this.between(least, most) }, (_, i) => make(i)); }
  /** Some elements of the list, in its order. */
  some(list, probability) { return list.filter(() => this.chance(probability)); }
}
