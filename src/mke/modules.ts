import type { Module } from '../core/module.ts';

export const mkeModules: Module[] = [];
