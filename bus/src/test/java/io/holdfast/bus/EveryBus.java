package io.holdfast.bus;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A test that our bus and both reference buses pass: what it expects is how a bus behaves, and not
 * only what ours happens to do. Its parameter is a {@link TestBus}, which is closed behind it.
 * Where one of the others is not installed its case alone is skipped.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedTest
@MethodSource("io.holdfast.bus.TestBus#everyKind")
@interface EveryBus {}
