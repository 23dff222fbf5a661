"""Keras on TensorFlow."""

import os
from collections.abc import Callable
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"  # read when Keras is first imported

import keras
import tensorflow as tf

from benchmarks.speed.peers.job import Job, measure
from benchmarks.speed.peers.keras_contender import Clock, Keras


class KerasTensorFlow(Keras):
    """The same code on this backend; a folder is read by TensorFlow's own pipeline."""

    libraries = (*Keras.libraries, "tensorflow-cpu")

    def learn_folder(self, job: Job) -> list[float]:
        clock = Clock()
        rows = keras.utils.image_dataset_from_directory(
            job.files, image_size=(64, 64), batch_size=job.batch_size, verbose=False
        )
        varied = keras.Sequential([
            keras.layers.Rescaling(1 / 255), keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomTranslation(4 / 64, 4 / 64, fill_mode="reflect"),
        ])  # fmt: skip
        rows = rows.map(lambda x, y: (varied(x, training=True), y), num_parallel_calls=tf.data.AUTOTUNE)
        self.model.fit(rows.prefetch(tf.data.AUTOTUNE), epochs=job.epochs, verbose=0, callbacks=[clock])
        return clock.seconds

    def compiled(self, model: Any) -> Callable[[list[Any]], list[Any]]:
        return tf.function(model, reduce_retracing=True)


if __name__ == "__main__":
    measure(KerasTensorFlow)
