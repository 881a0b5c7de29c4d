"""The same command as training.train_from_meshes, under the name of the Makefile target."""

from training.train_from_meshes import main

if __name__ == "__main__":
    main()
