import { standIn } from './stand-in.ts';

standIn(process.env.ASTRA_API_PORT);
