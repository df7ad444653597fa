import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Component } from '../component.ts';
import { answers } from '../ports.ts';
import type { PortName } from '../ports.ts';
import { randomSecret } from '../secrets.ts';
import { writeFileAtomically } from '../write-file-atomically.ts';
import { serverEnvironment, type ServerContext } from './server-context.ts';

export const s3Bucket = 'astra';
/** An object of the launcher's own, beside the artifacts. */
const marker = 'launcher/ready';

export const s3Region = 'us-east-1';

// The longest path of a Unix socket on macOS, less its end.
const longestSocketPath = 100;

/** SeaweedFS with its S3 gateway: master, volume server and filer in one process. */
export async function createS3(context: ServerContext): Promise<Component> {
  const { binary, paths, secrets, env } = context;
  const home = paths.data('s3');
  mkdirSync(join(home, 'data'), { recursive: true, mode: 0o700 });
  const identities = join(home, 'identities.json');
  writeFileAtomically(identities, identitiesFile(secrets.s3AccessKeyId, secrets.s3SecretAccessKey), 0o600);
  const port = await context.ports.take('s3');
  const { args, grpcPorts } = await serverArguments(context, { home, port, identities });
  // Its inner ports trust whoever reaches them unless requests must be signed, which these keys ask for.
  const keys = { WEED_JWT_SIGNING_KEY: randomSecret(), WEED_JWT_FILER_SIGNING_KEY: randomSecret() };
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: s3Region,
    forcePathStyle: true,
    maxAttempts: 1,
    requestHandler: { requestTimeout: 5000 },
    credentials: { accessKeyId: secrets.s3AccessKeyId, secretAccessKey: secrets.s3SecretAccessKey },
  });
  return {
    name: 's3',
    version: binary.version,
    port,
    command: {
      file: binary.path,
      args,
      // Volumes are created one at a time, not seven: an artifact store on one machine needs no more.
      env: { ...serverEnvironment(env, home), ...keys, WEED_MASTER_VOLUME_GROWTH_COPY_1: '1' },
      cwd: home,
    },
    // It closes its volumes in milliseconds and then lingers for 17 s over connections of its own (measured on 4.48).
    stop: { signal: 'SIGTERM', graceMs: 1500 },
    async probe() {
      if (!(await answers(port))) throw new Error(`nothing listens on 127.0.0.1:${port}`);
      // The gateway answers before its volumes do: only when an object can be read is everything there.
      if (await hasBucket(client)) await readMarker(client);
    },
    async provision() {
      if (!(await hasBucket(client))) await client.send(new CreateBucketCommand({ Bucket: s3Bucket }));
      await client.send(new PutObjectCommand({ Bucket: s3Bucket, Key: marker, Body: 'ready' }));
    },
    cleanUp() {
      for (const [part, grpcPort] of Object.entries(grpcPorts)) {
        rmSync(`/tmp/seaweedfs-${part}-grpc-${grpcPort}.sock`, { force: true });
      }
    },
  };
}

async function hasBucket(client: S3Client): Promise<boolean> {
  const { Buckets = [] } = await client.send(new ListBucketsCommand());
  return Buckets.some((bucket) => bucket.Name === s3Bucket);
}

/** A store that was stopped before it had its marker is whole all the same. */
async function readMarker(client: S3Client): Promise<void> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: s3Bucket, Key: marker }));
    await Body?.transformToByteArray();
  } catch (error) {
    if (!(error instanceof NoSuchKey)) throw error;
  }
}

async function serverArguments(
  context: ServerContext,
  options: { home: string; port: number; identities: string },
): Promise<{ args: string[]; grpcPorts: Record<string, string> }> {
  const { home, port, identities } = options;
  const take = async (name: PortName): Promise<string> => String(await context.ports.take(name));
  const grpcPorts = {
    master: await take('s3MasterGrpc'),
    volume: await take('s3VolumeGrpc'),
    filer: await take('s3FilerGrpc'),
    s3: await take('s3Grpc'),
  };
  const args = ['-logtostderr=true', 'server', `-dir=${join(home, 'data')}`, '-ip=127.0.0.1', '-ip.bind=127.0.0.1'];
  args.push(
    `-master.port=${await take('s3Master')}`,
    `-master.port.grpc=${grpcPorts.master}`,
    '-master.telemetry=false',
  );
  // One node elects itself: the defaults wait 10 s for others.
  args.push('-master.electionTimeout=1s', '-master.heartbeatInterval=100ms', '-master.volumeSizeLimitMB=1024');
  args.push(`-volume.port=${await take('s3Volume')}`, `-volume.port.grpc=${grpcPorts.volume}`);
  args.push('-volume.max=100', '-volume.preStopSeconds=0', '-volume.minFreeSpace=1');
  args.push('-filer', `-filer.port=${await take('s3Filer')}`, `-filer.port.grpc=${grpcPorts.filer}`);
  args.push('-s3', `-s3.port=${port}`, `-s3.port.grpc=${grpcPorts.s3}`, `-s3.config=${identities}`);
  args.push('-s3.port.iceberg=0', '-s3.port.lance=0', ...socketFlags(home));
  return { args, grpcPorts };
}

function identitiesFile(accessKey: string, secretKey: string): string {
  const actions = ['Admin', 'Read', 'Write', 'List', 'Tagging'];
  return JSON.stringify({ identities: [{ name: 'astra', credentials: [{ accessKey, secretKey }], actions }] });
}

/** Its sockets lie in the private directory where their paths are short enough, otherwise where it puts them itself. */
function socketFlags(home: string): string[] {
  const longest = join(home, 'filer.sock').length;
  if (longest > longestSocketPath) return [];
  return [`-filer.localSocket=${join(home, 'filer.sock')}`, `-s3.localSocket=${join(home, 's3.sock')}`];
}
