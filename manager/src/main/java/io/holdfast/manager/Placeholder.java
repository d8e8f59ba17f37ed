package io.holdfast.manager;

final class Placeholder {}
