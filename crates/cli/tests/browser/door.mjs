// The way to a server, which a walk can close and open again: then the server is down, for whoever goes that way.

import { connect, createServer } from 'node:net'

export class Door {
  #open = new Set()
  #server = null

  /** Lets connections to the port `at` come to the port `to`, both of this machine. */
  constructor(at, to) {
    this.at = Number(at)
    this.to = Number(to)
  }

  async open() {
    this.#server = createServer((caller) => {
      const called = connect(this.to, '127.0.0.1')
      const ends = [caller, called]
      for (const end of ends) {
        this.#open.add(end)
        end.on('error', () => {})
        end.on('close', () => ends.forEach((other) => other.destroy()))
      }
      caller.pipe(called).pipe(caller)
    })
    await new Promise((done, failed) => this.#server.on('error', failed).listen(this.at, '127.0.0.1', done))
  }

  async close() {
    const closed = new Promise((done) => this.#server.close(done))
    for (const end of this.#open) end.destroy()
    this.#open.clear()
    await closed
  }
}
