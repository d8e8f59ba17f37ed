package io.holdfast.cli;

final class Placeholder {}
