import { connect } from 'node:net';

/** Sends text to a loopback port and resolves when the answer matches: a probe in a text protocol. */
export function exchange(port: number, request: string, expected: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let answer = '';
    const fail = (why: string): void => {
      socket.destroy();
      reject(new Error(`127.0.0.1:${port} does not answer as expected: ${why}`));
    };
    socket.setEncoding('utf8');
    socket.setTimeout(2000, () => fail('no answer in 2 s'));
    socket.once('error', (error) => fail(error.message));
    socket.once('close', () => fail('it closed the connection'));
    socket.on('data', (chunk) => {
      answer += String(chunk);
      if (!expected.test(answer)) return;
      resolve();
      socket.destroy();
    });
    socket.write(request);
  });
}
