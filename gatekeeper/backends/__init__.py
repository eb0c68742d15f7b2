"""Whatever generates answers: a model server over HTTP, the embedded baseline, a script."""
