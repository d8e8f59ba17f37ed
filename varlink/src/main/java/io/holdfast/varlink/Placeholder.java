package io.holdfast.varlink;

final class Placeholder {}
