package io.holdfast.core.linux;

final class Placeholder {}
