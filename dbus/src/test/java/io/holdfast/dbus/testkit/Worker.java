package io.holdfast.dbus.testkit;

import io.holdfast.core.Fd;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.typed.Export;
import io.holdfast.dbus.wire.Variant;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/** A {@link Workshop} that returns its arguments. */
final class Worker implements Workshop {
    final LinkedBlockingQueue<String> poked = new LinkedBlockingQueue<>();
    final CompletableFuture<String> later = new CompletableFuture<>();
    final CountDownLatch waiting = new CountDownLatch(1);
    volatile @Nullable String zone = "UTC";
    volatile long limit = 0xffff_ffffL;

    @Override
    public long add(int a, int b) {
        return (long) a + b;
    }

    @Override
    public Division divide(int dividend, int divisor) {
        return new Division(dividend / divisor, dividend % divisor);
    }

    @Override
    public Point move(Point point, double by) {
        return new Point(point.x() + by, point.weight(), point.label());
    }

    @Override
    public All echo(All all) {
        return all;
    }

    @Override
    public Object any(Object value) {
        return value;
    }

    @Override
    public Variant variant(Variant value) {
        return value;
    }

    @Override
    public long unsigned(long value) {
        return value == 1 ? -1 : value;
    }

    @Override
    public int narrow(long value) {
        return Math.toIntExact(value);
    }

    @Override
    public String path(String path) {
        return path;
    }

    @Override
    @SuppressWarnings("NullAway") // as a careless implementation does
    public List<String> names(List<String> names) {
        return names.isEmpty() ? null : names;
    }

    @Override
    public CompletionStage<String> later(String word) {
        poked.add(word);
        return later.thenApply(text -> text + " " + word);
    }

    @Override
    public CompletableFuture<Void> laterNothing() {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public void fail(String how) throws Exception {
        switch (how) {
            case "named" -> throw new DBusException("org.example.Error.Mine", "so it is");
            case "lines" -> throw new IOException("the disk is gone\nand the rest with it");
            case "checked" -> throw new Exception("checked");
            default -> throw new IllegalStateException();
        }
    }

    @Override
    public void waitForever() throws InterruptedException {
        waiting.await();
    }

    @Override
    public void waitQuietly() {
        try {
            waiting.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void poke(String name) {
        poked.add(name);
    }

    @Override
    public String caller() {
        return Export.currentCall().sender();
    }

    @Override
    public Fd open(Fd given) {
        return given.duplicate();
    }

    @Override
    public CompletionStage<List<Fd>> openLater(List<Fd> given) {
        List<Fd> opened = given.stream().map(Fd::duplicate).toList();
        return later.thenApply(_ -> opened);
    }

    @Override
    @SuppressWarnings("NullAway") // as a careless implementation does
    public String zone() {
        return zone;
    }

    @Override
    public void zone(String value) {
        if (value.equals("Nowhere")) {
            throw new DBusException(DBusException.INVALID_ARGS, "no such zone: Nowhere");
        }
        zone = value;
    }

    @Override
    public long limit() {
        return limit;
    }

    @Override
    public void limit(long value) {
        limit = value;
    }

    @Override
    public Map<String, Point> points() {
        return Map.of("origin", new Point(0, 0, ""));
    }

    @Override
    public String version() {
        return "1";
    }
}
