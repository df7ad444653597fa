import { standIn } from './stand-in.ts';

standIn(process.env.ASTRA_ADMIN_PORT);
