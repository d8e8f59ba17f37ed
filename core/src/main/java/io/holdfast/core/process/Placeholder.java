package io.holdfast.core.process;

final class Placeholder {}
