package io.holdfast.bus;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A test that our bus and both reference buses pass: it expects how a bus behaves, not only how
 * ours does. Its parameter is a {@link TestBus}, which is closed after the test. If a reference bus
 * is not installed, only its case is skipped.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedTest
@MethodSource("io.holdfast.bus.TestBus#everyKind")
@interface EveryBus {}
