"""The same command as training.train_yours, under its name for meshes."""

from training.train_yours import main

if __name__ == "__main__":
    main()
