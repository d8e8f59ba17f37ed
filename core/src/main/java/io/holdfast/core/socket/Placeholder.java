package io.holdfast.core.socket;

final class Placeholder {}
