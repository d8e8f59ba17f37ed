package io.holdfast.benchmarks.stack;

/** The smallest Java program. */
final class Hello {
    private Hello() {}

    public static void main(String[] args) {
        System.out.println("Hello, world");
    }
}
